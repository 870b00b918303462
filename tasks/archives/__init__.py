"""The only sockets: one client per kind of service, and the manners that each service asks for."""
