"""elasticache."""
