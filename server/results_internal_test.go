package server

import "testing"

// Small results share one room and leave it the oldest first; a large one has a place of its own, which
// neither takes theirs nor is taken by them.
func TestLargeResultsAreKeptApart(t *testing.T) {
	c := newResultCache(100)
	put := func(key string, size int64) { c.put(key, &storedResult{size: size}) }
	put("a", 40)
	put("b", 40)
	put("large", 51)
	put("c", 40) // the oldest small one goes
	for key, want := range map[string]bool{"a": false, "b": true, "c": true, "large": true} {
		if got := c.get(key) != nil; got != want {
			t.Errorf("%s is kept: %v, want %v", key, got, want)
		}
	}
	put("larger", 1000)
	if c.get("large") != nil || c.get("larger") == nil || c.get("c") == nil {
		t.Error("the last large result has not the place of the one before, or took that of others")
	}
	put("beyond", mostLarge+1)
	if c.get("beyond") != nil || c.get("larger") == nil {
		t.Error("a result beyond the limit is kept")
	}
	// Nobody asks any more: it goes.
	c.forget(c.large)
	if c.get("larger") != nil {
		t.Error("a large result that nobody asked for stays")
	}
}
