// What a rule says, in the words of the page: conditions name fields, units and values of enums as the catalogue does.

import { eventName, field, pickTag, pickWord, tagName, tagText, typeName, types } from './catalogue'
import { figure, pick, quantity, span, unit } from './format'
import { t, word } from './texts'
import { severities, type Severity, type Text } from './types'

export interface Signal { name: string, field?: string, type?: string, event?: string, rule?: string, fn?: string, window?: string, same?: string }

/** Rule is a rule as its file has it. */
export interface Rule {
  id: string
  name: Text
  text?: Text
  kind: string
  severity: Severity
  category: string
  safety?: boolean
  latched?: boolean
  types: string[]
  origin: 'type' | 'common' | 'site'
  where: string
  basis: string
  source?: string
  note?: string
  params: Record<string, string>
  signals?: Signal[]
  settable: string[]
}

/** Condition is as much of a rule as what it compares readings with. */
export type Condition = Pick<Rule, 'id' | 'kind' | 'types' | 'params' | 'signals'>

/** Override is what a site says of rules for some devices. */
export interface Override {
  rules?: string[]
  level: 'device' | 'group' | 'community' | 'type'
  device?: string
  group?: Record<string, string>
  community?: string
  type?: string
  set?: Record<string, string>
  where: string
  document?: string
  reason: string
  disable?: boolean
  holds: boolean
}

/** RuleInForce says of a rule whether it is in force for one device. */
export interface RuleInForce {
  rule: string
  name: Text
  kind: string
  severity: Severity
  safety?: boolean
  in_force: boolean
  why?: string
  params: Record<string, string>
  where: string
  overrides?: Override[]
}

export interface RuleList { rules: Rule[], overrides: Override[], devices: Record<string, number> }

const lengths: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 }

/** lasting reads a duration of a rule file, such as 10m or 1h30m, and writes it as people do. */
export function lasting(duration: string): string {
  let ms = 0
  for (const [, n, u] of duration.matchAll(/([\d.]+)(ms|[smhd])/g)) ms += Number(n) * lengths[u!]!
  return ms ? span(ms) : duration
}

const signs: Record<string, string> = { '>=': ' ≥ ', '<=': ' ≤ ', '>': ' > ', '<': ' < ', '*': ' × ', '/': ' ÷ ', '-': ' − ', '+': ' + ', '[': '', ']': '', ',': ' / ' }
const compares = ['>=', '<=', '>', '<', '==', '!=']

/** sayCondition writes an expression of a rule in words. Names that it does not know stay as they are. */
export function sayCondition(expression: string, rule: Condition, type = rule.types[0] ?? ''): string {
  const tokens: string[] = expression.replaceAll('!person.away', 'person.home').match(/"[^"]*"|[A-Za-z_][\w.]*|\d+(?:\.\d+)?|>=|<=|==|!=|&&|\|\||\S/g) ?? []
  if (tokens.includes('?')) return sayScore(tokens, rule, type)
  const closing: string[] = [] // of the brackets that are open
  let said = ''
  let last: Named = { text: '' } // the quantity that was named last: its unit and its enum are those of what it is compared with
  for (let i = 0; i < tokens.length; i++) {
    const [before, token, after] = [tokens[i - 1] ?? '', tokens[i]!, tokens[i + 1] ?? '']
    if (token === 'abs') {
      closing.push('|')
      said += '|'
      i++
    } else if (token === 'bit') { // bit(value, 3)
      said += t('say.bit', { field: name(tokens[i + 2] ?? '', rule, type).text, n: tokens[i + 4] ?? '' })
      i += 5
    } else if (token === '!' && /^[A-Za-z_]/.test(after)) {
      said += t('say.no', { field: name(after, rule, type).text })
      i++
    } else if (/^[A-Za-z_]/.test(token) && token !== 'in') {
      last = name(token, rule, type)
      said += last.text
    } else if (/^\d/.test(token)) {
      const alone = compares.includes(before === '-' ? tokens[i - 2] ?? '' : before) && !['*', '/'].includes(after)
      said += alone && last.unit ? quantity(Number(token), last.unit) : figure(Number(token))
    } else if (token.startsWith('"')) {
      said += valueOf(token.slice(1, -1), last, type)
    } else if (token === '-' && compares.includes(before)) {
      said += '−'
    } else if (token === '(' || token === ')') {
      if (token === '(') closing.push(')')
      said += token === '(' ? '(' : closing.pop() ?? ')'
    } else {
      said += { '&&': t('say.and'), '||': t('say.or'), '!': t('say.not'), '==': t('say.is'), '!=': t('say.isNot'), in: t('say.in') }[token] ?? signs[token] ?? token
    }
  }
  return said.replace(/ {2,}/g, ' ').trim()
}

/** sayScore names what a score is made of, and from where on it counts: its table is too long for a sentence. */
function sayScore(tokens: string[], rule: Condition, type: string): string {
  const of = new Set(tokens.filter(x => rule.signals?.some(s => s.name === x) || x === 'value').map(x => name(x, rule, type).text))
  return t('say.score', { of: [...of].join(t('say.list')), least: tokens.slice(-2).map(x => signs[x]?.trim() ?? figure(Number(x))).join(' ') })
}

function valueOf(value: string, of: Named, type: string): string {
  if (!value) return t('say.unset')
  if (!of.field) return value
  const known = pickWord(of.type ?? type, of.field, value).replace(/^[A-Z](?=[a-z])/, first => first.toLowerCase()) // within a sentence
  return known === value ? word('code', pickTag(of.field, value)) : known
}

interface Named { text: string, unit?: string, field?: string, type?: string }

function name(token: string, rule: Condition, type: string): Named {
  const first = rule.params.fields?.split(' ')[0] ?? ''
  const signal = rule.signals?.find(s => s.name === token)
  const [scope, part] = token.split('.')
  if (token === 'outside_m') return { text: t('say.outside'), unit: 'm' }
  if (token === 'value') return fieldNamed(type, first)
  if (token === 'change') return { ...fieldNamed(type, first), text: t('say.change', { field: fieldNamed(type, first).text, per: lasting(rule.params.per ?? '') }) }
  if (signal) return sayOf(signal, type)
  if (scope === 'person') return { text: t(part === 'home' ? 'say.home' : 'say.away') }
  if (scope === 'attr' && part) return { text: pick(types.get(type)?.attributes?.find(a => a.id === part)?.name) || part }
  if (scope === 'event' && part) {
    const f = types.get(type)?.events.find(e => rule.params.events?.split(' ').includes(e.id))?.fields?.find(f => f.id === part)
    return { text: pick(f?.name) || word('payload', part), unit: unit(f?.unit) ? f?.unit : undefined, field: part }
  }
  return types.get(type)?.tags?.some(g => g.id === token) ? { text: tagName(token, type), field: token } : { text: token }
}

function fieldNamed(type: string, id: string): Named {
  const f = field(type, id)
  return { text: pick(f?.name) || id, unit: unit(f?.unit) ? f?.unit : undefined, field: id, type }
}

/** sayOf names a signal: a field, how it is measured, and over which devices. */
function sayOf(s: Signal, own: string): Named {
  if (s.rule) return { text: t('say.ruleOpen', { rule: ruleName(s.rule) }) }
  if (s.event) return { text: t('say.sinceEvent', { event: eventName(own, s.event) }) }
  const f = fieldNamed(s.type || own, s.field ?? '')
  const of = s.same ? t('say.same', { same: word('place', s.same), type: s.type ? typeName(s.type) : '' }) : ''
  if (!s.fn || s.fn === 'last') return { ...f, text: of + f.text }
  const within = s.window ? t('say.within', { window: lasting(s.window) }) : ''
  return { ...f, text: t('say.measured', { of, field: f.text, within, fn: word('fn', s.fn) }).replace(/\s+/g, ' ').trim() }
}

const names = new Map<string, Text>()
/** learnRules lets rules be named by others. */
export function learnRules(rules: Rule[]) {
  for (const r of rules) names.set(r.id, r.name)
}
export const ruleName = (id: string) => pick(names.get(id)) || id

/** levels are the names of those of a rule, the worst first. Each is a parameter with its severity, and has others, such as "crit when". */
export const levels = (params: Record<string, string>) => Object.keys(params).filter(k => k.endsWith(' when')).map(k => k.slice(0, -' when'.length))
  .sort((a, b) => severities.indexOf(params[a] as Severity) - severities.indexOf(params[b] as Severity))

/** paramName names a parameter, of one of the levels with that. */
export function paramName(key: string): string {
  const [level, of] = key.split(' ')
  return of ? `${level} · ${word('param', of)}` : word('param', key)
}

/** sayRule is a rule in one sentence. params are those in force for a device, where they differ. */
export function sayRule(rule: Rule, params: Record<string, string> = rule.params, type = rule.types[0] ?? ''): string {
  const r = { ...rule, params }
  const say = (expression: string | undefined) => expression ? sayCondition(expression, r, type) : ''
  const events = (params.events ?? '').split(' ').filter(Boolean).map(e => eventName(type, e)).join(t('say.or'))
  const when = say(params.when)
  const forOf = (length: string | undefined) => length ? t('say.for', { for: lasting(length) }) : ''
  const lasts = forOf(params.for)
  let said: string
  switch (rule.kind) {
    case 'event': said = t('say.event', { event: events }) + (when ? t('say.with', { when }) : ''); break
    case 'count': said = t('say.count', { window: lasting(params.window ?? ''), n: params.count ?? '', event: events }) + (when ? t('say.with', { when }) : ''); break
    case 'absence': {
      const what = events ? t('say.quoted', { text: events }) : (params.fields ? fieldNamed(type, params.fields).text : t('say.anything'))
      said = t('say.absence', { what, window: lasting(params.window ?? '') }) + (when ? t('say.while', { when }) : '')
      break
    }
    case 'sequence': said = t(params.without ? 'say.without' : 'say.then', { first: step(params.first ?? '', type), second: step(params.without ?? params.then ?? '', type), within: lasting(params.within ?? '') }); break
    default: said = levels(params).map(l => t('say.level', { severity: word('severity', params[l]!), when: say(params[`${l} when`]) + forOf(params[`${l} for`]) })).join(t('say.list')) || (when ? when + lasts : pick(rule.text) || pick(rule.name))
  }
  if (params.clear) said += t('say.clear', { when: say(params.clear) })
  if (params.schedule) said += t('say.schedule', { times: params.schedule })
  if (params.applies) said += t('say.applies', { when: say(params.applies) })
  return said
}

/** sayParam writes one parameter of a rule in words. */
export function sayParam(rule: Rule, key: string, value: string): string {
  const type = rule.types[0] ?? ''
  if (levels(rule.params).includes(key)) return word('severity', value)
  switch (key.split(' ').pop()) {
    case 'confirmed_by': return value.split(' ').map(ruleName).join(t('say.list'))
    case 'fields': return value.split(' ').map(f => fieldNamed(type, f).text).join(t('say.list'))
    case 'events': case 'cleared_by': return value.split(' ').map(e => eventName(type, e)).join(t('say.list'))
    case 'when': case 'clear': case 'applies': return sayCondition(value, rule)
    case 'severity': return word('severity', value)
    case 'for': case 'window': case 'within': case 'per': case 'max_age': case 'will': return lasting(value)
    case 'first': case 'then': case 'without': return step(value, type)
  }
  return value
}

function step(said: string, type: string): string {
  const [id = '', what] = said.split(' ')
  return what ? t('say.step', { rule: ruleName(id), what: word('event', what) }) : t('say.quoted', { text: eventName(type, id) })
}

const threshold = /^([A-Za-z_]\w*)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)$/

/** limit is the number of a condition that only compares a quantity with one; nothing of a longer one. */
export function limit(expression: string | undefined, rule: Rule, type = rule.types[0] ?? ''): { value: number, label: string, unit: string } | undefined {
  const m = expression?.match(threshold)
  if (!m) return undefined
  const of = name(m[1]!, rule, type)
  return { value: Number(m[3]), label: of.text + signs[m[2]!]!.trimEnd(), unit: unit(of.unit) }
}

/** withLimit is that condition with another number. Conditions calculate with decimals, so a whole one gets a point. */
export function withLimit(expression: string, value: number): string {
  const text = Number.isInteger(value) ? value.toFixed(1) : String(value)
  return expression.replace(threshold, (_, name, sign) => `${name} ${sign} ${text}`)
}

/** whom names the devices that an override is for. */
export function whom(o: Override, communityName: (id: string) => string): string {
  return [
    o.community ? communityName(o.community) : '', o.type ? typeName(o.type) : '',
    tagText(o.type, o.group, true), o.device ?? '',
  ].filter(Boolean).join(' · ')
}
