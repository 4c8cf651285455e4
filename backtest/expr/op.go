package expr

import "math"

// op is what a term of the graph does.
type op uint8

const (
	opBad op = iota
	opConst
	opColumn   // n is a column index
	opTime     // n is a clock
	opGiven    // a column from elsewhere: n is an index into graph.givens
	opIs       // n is a Category, text its value: a condition
	opPosition // n is a PositionVar
	opFrozen   // n is an index into Frozen

	opNeg
	opAbs
	opSign
	opSqrt
	opFloor
	opCeil
	opRound
	opLog
	opExp
	opAdd
	opSub
	opMul
	opDiv
	opMin
	opMax
	opPow
	opCoalesce
	opIf

	opGT
	opGE
	opLT
	opLE
	opEQ
	opNE
	opNot
	opAnd
	opOr
	opIfBool
	opTruth        // of a number that is a condition: 1, 0 or absent
	opIsAbsent     // of a number
	opIsAbsentBool // of a condition

	opShift     // n bars back
	opShiftBool // n bars back
	opIndicator
	opCount // of trues in n bars
	opSince // bars since true, in n bars
	opValueWhen
	opEvery
	opAny

	opScale   // steps only: traded basis to constant basis
	opUnscale // steps only: constant basis to traded basis
)

// pointwise reports whether the value at a bar follows from the operands at that bar alone.
func (o op) pointwise() bool { return o >= opNeg && o <= opIsAbsentBool }

// kind of the result.
func (o op) kind() Kind {
	switch {
	case o >= opGT && o <= opIsAbsentBool, o == opShiftBool, o == opEvery, o == opAny:
		return Bool
	}
	return Number
}

// scalar is the meaning of a pointwise operation on one bar's values. Conditions are 1, 0 and NaN.
// Column kernels must agree with it: a test says so.
func scalar(o op, a, b, c float64) float64 {
	switch o {
	case opNeg:
		return -a
	case opAbs:
		return math.Abs(a)
	case opSign:
		return sign(a)
	case opSqrt:
		return math.Sqrt(a)
	case opFloor:
		return math.Floor(a)
	case opCeil:
		return math.Ceil(a)
	case opRound:
		return math.Round(a)
	case opLog:
		return finite(math.Log(a))
	case opExp:
		return finite(math.Exp(a))
	case opAdd:
		return a + b
	case opSub:
		return a - b
	case opMul:
		return a * b
	case opDiv:
		return quotient(a, b)
	case opMin:
		return min(a, b)
	case opMax:
		return max(a, b)
	case opPow:
		return power2(a, b)
	case opCoalesce:
		if a != a {
			return b
		}
		return a
	case opTruth:
		return a
	case opIsAbsent, opIsAbsentBool:
		return truth(a != a)
	}
	return scalarLogic(o, a, b, c)
}

func scalarLogic(o op, a, b, c float64) float64 {
	switch o {
	case opNot:
		return 1 - a // NaN stays NaN
	case opAnd:
		if a == 0 || b == 0 {
			return 0
		}
		return a * b
	case opOr:
		if a == 1 || b == 1 {
			return 1
		}
		return a + b
	case opIf, opIfBool:
		switch a {
		case 1:
			return b
		case 0:
			return c
		}
		return math.NaN()
	}
	if a != a || b != b {
		return math.NaN()
	}
	switch o {
	case opGT:
		return truth(a > b)
	case opGE:
		return truth(a >= b)
	case opLT:
		return truth(a < b)
	case opLE:
		return truth(a <= b)
	case opEQ:
		return truth(a == b)
	case opNE:
		return truth(a != b)
	}
	panic("BUG: no scalar meaning for this operation")
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// finite is x, absent when it has no finite value.
func finite(x float64) float64 {
	if x-x != 0 {
		return math.NaN()
	}
	return x
}

// quotient is a / b, absent for b = 0: an infinite ratio would pass comparisons.
func quotient(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

func sign(a float64) float64 {
	switch {
	case a > 0:
		return 1
	case a < 0:
		return -1
	case a == 0:
		return 0
	}
	return a
}

// power2 is math.Pow, but absent where the result is not finite or an operand is absent (Pow says 1
// for 1^NaN and NaN^0).
func power2(a, b float64) float64 {
	if a != a || b != b {
		return math.NaN()
	}
	return finite(math.Pow(a, b))
}
