package backtest

// tagOf numbers the tags of entries from 1 on; 0 is none.
func (e *engine) tagOf(tag string) int32 {
	if tag == "" {
		return 0
	}
	n, ok := e.tagged[tag]
	if !ok {
		if e.tagged == nil {
			e.tagged = map[string]int32{}
		}
		e.tags = append(e.tags, tag)
		n = int32(len(e.tags))
		e.tagged[tag] = n
	}
	return n
}

func (e *engine) tagAt(n int32) string {
	if n == 0 {
		return ""
	}
	return e.tags[n-1]
}
