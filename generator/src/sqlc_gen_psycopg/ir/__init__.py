"""What the renderer is given: functions, results and Python types."""
