import { expect, test } from 'vitest'
import { line } from './history'

test('a gap stays a gap, and a peak stays beside its mean', () => {
  const got = line({ tags: { inlet: '2' }, time: [0, 60, 120], value: [1, null, 3], min: [1, null, 2], max: [1, null, 99], late: [120] }, 'bin')
  expect(got).toEqual({ label: 'inlet 2', at: [0, 60, 120], mean: [1, null, 3], min: [1, null, 2], max: [1, null, 99], late: [120] })
})

test('states are drawn as 1 and 0, words are not', () => {
  expect(line({ tags: {}, time: [0, 1, 2], value: [true, false, 'open'] }, 'bin').mean).toEqual([1, 0, null])
})
