"""More than one worker behind one address: where a session lives, and a front that forwards to it."""
