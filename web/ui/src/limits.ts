// The lines that the conditions of a rule draw through the chart of a field.

import { load } from './api'
import { sayCondition, levels, type Condition } from './rule'
import { t, word } from './texts'
import { severities, type Severity } from './types'

/** Limit is a number that a field is compared with: beyond it an alert comes, or below it goes. */
export interface Limit { value: number, text: string, tone: Severity | 'good' }

/** Judging is a rule as it judges one device, with the number of attributes that its conditions multiply. */
export interface Judging { rule: Condition, params: Record<string, string>, severity: Severity, type: string, attributes?: Record<string, number> }

// A name that alone is compared with a number, or with a part of an attribute; not the end of a sum such as a - b > 3.0.
const comparison = /(?<![-+*/.\w]\s*)\b([A-Za-z_]\w*)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)(?:\s*\*\s*attr\.(\w+))?(?![\w.]|\s*[-+*/])/g
const ofValue = ['', 'last', 'mean', 'median', 'min', 'max'] // functions whose result is compared as the field is

/** limits are those of one field, the worst first; that of an end is left out where it is the number of the beginning. */
export function limits(j: Judging, field: string): Limit[] {
  const all: Limit[] = []
  for (const level of levels(j.params).length ? levels(j.params) : ['']) {
    const [before, severity] = level ? [level + ' ', j.params[level] as Severity] : ['', j.severity]
    const began = numbers(j, field, j.params[before + 'when'])
    const ended = numbers(j, field, j.params[before + 'clear']).filter(e => !began.some(b => b.value === e.value))
    all.push(...began.map(n => ({ value: n.value, tone: severity, text: t('say.level', { severity: word('severity', severity), when: n.said }) })))
    all.push(...ended.map(n => ({ value: n.value, tone: 'good' as const, text: t('say.level', { severity: t('param.clear'), when: n.said }) })))
  }
  return all
}

/** allLimits are those of several rules, none twice. */
export function allLimits(rules: Judging[], field: string): Limit[] {
  const rank = (l: Limit) => l.tone === 'good' ? severities.length : severities.indexOf(l.tone)
  const found = new Map<string, Limit>()
  for (const l of rules.flatMap(j => limits(j, field)).sort((a, b) => rank(a) - rank(b))) if (!found.has(l.text)) found.set(l.text, l)
  return [...found.values()]
}

function numbers(j: Judging, field: string, condition = ''): { value: number, said: string }[] {
  if (condition.includes('?')) return [] // a score, not a quantity
  const found: { value: number, said: string }[] = []
  for (const [said, name, , number, attribute] of condition.matchAll(comparison)) {
    const factor = attribute ? j.attributes?.[attribute] : 1
    if (factor !== undefined && means(j, name!, field)) found.push({ value: Number(number) * factor, said: sayCondition(said, { ...j.rule, params: j.params }, j.type) })
  }
  return found
}

/** means says whether a name of a condition is the field itself, not for instance what it has grown by. */
function means(j: Judging, name: string, field: string): boolean {
  if (name === 'value') return (j.params.fields ?? '').split(' ').includes(field) && !['window', 'rate'].includes(j.rule.kind)
  const signal = j.rule.signals?.find(s => s.name === name)
  return signal?.field === field && !signal.type && !signal.same && ofValue.includes(signal.fn ?? '')
}

/** loadJudging asks for the rules that judge a device, for who may see their numbers and not the rules themselves. */
export async function loadJudging(device: string, type: string, attributes: Record<string, number> | undefined, signal: AbortSignal): Promise<Judging[]> {
  const { rules } = await load<{ rules: (Condition & { id: string, severity: Severity })[] }>(`devices/${encodeURIComponent(device)}/limits`, {}, signal)
  return rules.map(rule => ({ rule: { ...rule, types: [type] }, params: rule.params, severity: rule.severity, type, attributes }))
}
