// The sound of a new alert, made by the browser itself: no file, nothing to load while something is on fire.

import { state } from './state'
import type { Alert } from './types'

let audio: AudioContext | null = null

/** wake lets later sounds be heard: browsers allow sound only after the first press on the page. */
export function wake() {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume()
}

/** chime sounds once for any number of new alerts: three rising tones for life safety, two for the rest worth hearing. */
export function chime(fresh: Alert[]) {
  const loud = fresh.filter(a => a.severity === 'critical' || a.severity === 'high' || a.severity === 'medium')
  if (!state.sound || !loud.length) return
  wake()
  const urgent = loud.some(a => a.severity === 'critical' || a.safety)
  const tones = urgent ? [880, 1175, 1568, 880, 1175, 1568] : [660, 880]
  tones.forEach((f, i) => tone(f, i * 0.18, urgent ? 0.35 : 0.2))
}

/** ping asks for a look at what is no alert. */
export function ping() {
  if (!state.sound) return
  wake()
  tone(660, 0, 0.2)
}

function tone(frequency: number, after: number, loudness: number) {
  if (!audio) return
  const [osc, gain] = [audio.createOscillator(), audio.createGain()]
  const at = audio.currentTime + after
  osc.frequency.value = frequency
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(loudness, at + 0.015)
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.17)
  osc.connect(gain).connect(audio.destination)
  osc.start(at)
  osc.stop(at + 0.18)
}
