"""What a run is looked at through: funnel, report, recounts by other rules, the explanation of one document. Narrow tables only."""
