"""What an analysis keeps so that, after an edit, only what the edit can have changed is analysed again."""
