"""What a connector, category, group and policy is: canonical form, references, secret fields, rules."""
