// What the server warns of, in the words of the page. What it does not know is shown as it came.

import { t, word } from './texts'

/** sayWarning writes a warning: ROLE: what troubles it. */
export function sayWarning(warning: string): string {
  const full = warning.match(/disk of .* is (\d+) % full/)
  if (full) return t('board.disk', { n: full[1]! })
  const waiting = warning.match(/(\d+) messages of \w+ wait to be stored/)
  if (waiting) return t('board.backlog', { n: waiting[1]! })
  const [, role, reason] = warning.match(/^([a-z]+): (.*)$/s) ?? []
  return role ? t('board.notReady', { role: word('part', role), reason: reason! }) : warning
}
