"""What must happen: pure decisions beside the thin durable shells around them."""
