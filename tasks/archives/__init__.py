"""The only sockets: one client per kind of service, and the limits of each service."""
