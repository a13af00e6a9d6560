"""Average daily attendance, over the attendance of every disclosure: counts alone, and none of a few students."""
