package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// stormRule opens and clears with nearly every reading of the load, which draws its power from 0 to 5,000 W.
const stormRule = `rules:
- id: storm
  name: {zh: 风暴, en: Storm}
  kind: threshold
  type: electricity_meter
  severity: low
  category: energy
  field: power_w
  when: value > 2500.0
  basis: judgement
  example:
  - {readings: "0s:2501 1s:2500", expect: "0s:opened 1s:cleared"}
  - {readings: "0s:2500", expect: ""}
`

// speedStorm measures how long an SOS takes while other alerts come by the thousand. None of the presses may be lost.
func speedStorm(t *testing.T) []row {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t), "--rules", writeRules(t, stormRule))
	s.start()
	ids := s.fleet(21, 250, 250)
	l := startLoad(t, s.mqtt, ids[:20], "-rate", "4000", "-duration", "75s", "-journal", "")
	told := func() (n float64) {
		for _, kind := range []string{"opened", "reopened"} {
			n += s.metric(fmt.Sprintf(`linli_alerts_transitions_total{kind=%q,severity="low"}`, kind))
		}
		return n
	}
	s.await(30*time.Second, "in a storm", func() bool { return told() > 5000 })
	before, began := told(), time.Now()
	took := pressAll(t, s, hook, ids[20], 200, 250*time.Millisecond)
	storm := (told() - before) / time.Since(began).Minutes()
	l.wait()
	s.terminate()
	return []row{{
		fmt.Sprintf("SOS publish → webhook while %.0f other alerts open a minute, p99 of 200, none lost", storm), "ms",
		percentile(took, 99), "≤ 1000", fmt.Sprintf("median %.0f", percentile(took, 50)),
	}}
}

func writeRules(t *testing.T, text string) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
