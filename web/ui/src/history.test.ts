import { expect, test } from 'vitest'
import { lines, spans, width } from './history'

const at = (s: number) => new Date(s * 1000).toISOString()

test('a gap stays a gap, and a peak stays beside its mean', () => {
  const mean = [{ time: at(0), value: 1 }, { time: at(60), value: 2 }, { time: at(300), value: 3 }]
  const max = [{ time: at(0), value: 1 }, { time: at(60), value: 99 }, { time: at(300), value: 3 }]
  const [line] = lines(60, mean, mean, max)
  expect(line!.mean).toEqual([1, 2, null, 3])
  expect(line!.max).toEqual([1, 99, null, 3])
  expect(line!.at).toEqual([0, 60, 120, 300])
})

test('series of one device are lines of their own', () => {
  const points = ['1', '2'].map(connector => ({ time: at(0), value: 5, tags: { connector } }))
  expect(lines(60, points, points, points).map(l => l.label)).toEqual(['connector 1', 'connector 2'])
})

test('a window is as narrow as the number of buckets allows', () => {
  for (const ms of Object.values(spans)) expect(ms / 1000 / width(ms)).toBeLessThanOrEqual(400)
})
