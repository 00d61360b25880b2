// Applying
