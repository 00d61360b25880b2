// MusterCommands
