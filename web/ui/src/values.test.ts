import { expect, test } from 'vitest'
import { scenes } from './scenes'
import { calculate, rows, type Values } from './values'
import type { Device } from './types'

const device = (id: string): Device => ({ id, community: 'c', type: 't', state: 'active', created: '' })
const all: Values = {
  devices: [device('a'), device('b')], more: false,
  values: [
    { device: 'a', field: 'fill', time: '', value: 20, tags: { inlet: '1' } }, { device: 'a', field: 'fill', time: '', value: 85, tags: { inlet: '2' } },
    { device: 'b', field: 'fill', time: '', value: 50 }, { device: 'b', field: 'door', time: '', value: 'jammed' }, { device: 'gone', field: 'fill', time: '', value: 99 },
  ],
}

test('each series is a row, those to be looked at first, then the highest', () => {
  const got = rows(all, [{ field: 'fill', high: 80 }, { field: 'door', bad: v => v === 'jammed' }])
  expect(got.map(r => [r.device.id, r.tags, r.bad])).toEqual([['a', 'inlet 2', true], ['b', '', true], ['a', 'inlet 1', false]])
})

test('of what must not be low the lowest comes first', () => {
  expect(rows(all, [{ field: 'fill', low: 30 }]).map(r => [r.values.fill!.value, r.bad])).toEqual([[20, true], [50, false], [85, false]])
  expect(rows(all, [{ field: 'fill', low: 5, high: 90 }]).map(r => r.values.fill!.value)).toEqual([85, 50, 20])
})

test('figures are of all series, and nothing where nothing was reported', () => {
  const figure = (fn: 'sum' | 'mean' | 'max' | 'count') => calculate({ name: {}, type: 't', field: 'fill', fn, is: v => Number(v) >= 80 }, all.values.slice(0, 3))
  expect(figure('sum')).toEqual({ value: 155, of: 3 })
  expect(figure('max')).toEqual({ value: 85, of: 3 })
  expect(figure('count')).toEqual({ value: 1, of: 3 })
  expect(calculate({ name: {}, type: 't', field: 'none', fn: 'sum' }, all.values)).toBeUndefined()
})

test('every scene draws a number over time', () => {
  for (const s of scenes) for (const g of s.groups) expect(g.columns.length, `${s.id} ${g.type}`).toBeGreaterThan(0)
})
