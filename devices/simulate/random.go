package simulate

import (
	"math"
	"time"
)

// key names one random quantity, such as the noise of a field of a device. Drawing from a key does not change it: the same key
// and the same moment give the same value for ever.
type key uint64

// named derives the key of a part of what k names.
func (k key) named(part string) key {
	h := uint64(k) ^ 0xcbf29ce484222325
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * 0x100000001b3
	}
	return key(mix(h))
}

// at derives the key of the n-th draw.
func (k key) at(n int64) key { return key(mix(uint64(k) + uint64(n)*0x9e3779b97f4a7c15)) }

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform is a number in [0, 1).
func (k key) uniform() float64 { return float64(mix(uint64(k))>>11) / (1 << 53) }

// between is a number in [low, high).
func (k key) between(low, high float64) float64 { return low + (high-low)*k.uniform() }

// chance is true with probability p.
func (k key) chance(p float64) bool { return k.uniform() < p }

// normal has mean 0 and variance 1.
func (k key) normal() float64 {
	u, v := 1-k.at(1).uniform(), k.at(2).uniform()
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// poisson is a count with that mean.
func (k key) poisson(mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*k.normal())))
	}
	limit, product := math.Exp(-mean), 1.0
	for n := 0; ; n++ {
		if product *= k.at(int64(n)).uniform(); product <= limit {
			return n
		}
	}
}

// wave is noise of mean 0 and variance 1 that changes smoothly over tau.
func (k key) wave(t moment, tau time.Duration) float64 {
	step := max(1, tau.Milliseconds())
	n := floorDiv(int64(t), step)
	w := float64(int64(t)-n*step) / float64(step)
	w = w * w * (3 - 2*w)
	return ((1-w)*k.at(n).normal() + w*k.at(n+1).normal()) / math.Sqrt((1-w)*(1-w)+w*w)
}

// slot is which stretch of length hold t is in; keys are out of step with each other.
func (k key) slot(t moment, hold time.Duration) int64 {
	step := max(1, hold.Milliseconds())
	return floorDiv(int64(t)+int64(k.at(-1).uniform()*float64(step)), step)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
