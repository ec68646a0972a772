"""What a RAM permission or a group's resource policy lets another account do: pure, no database, no AWS, no Django."""
