"""How sure a score is: sets of classes, what the members disagree about, and how strange an object is."""
