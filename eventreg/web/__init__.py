"""The pages, by audience. Views parse, call one service, say what happened. No rules here."""
