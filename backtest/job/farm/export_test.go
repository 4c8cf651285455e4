package farm

import "time"

// Hurry makes everybody less patient with a server that is away, and returns what undoes it.
func Hurry(wait, gone time.Duration) (undo func()) {
	a, p, b := answer, pause, absence
	answer, pause, absence = wait, wait, gone
	return func() { answer, pause, absence = a, p, b }
}

// Ahead is how many ranges wait on the server at the most.
const Ahead = ahead
