"""Mail that comes in: answers from calendar programs, and mail of ours that came back."""
