"""What must be mailed, and when. Knows no mail text."""
