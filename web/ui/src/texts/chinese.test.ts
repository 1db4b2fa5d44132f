import { expect, test } from 'vitest'
import { chinese, punctuate } from './chinese'

test('punctuation between Chinese is Chinese, that of figures stays', () => {
  expect(punctuate('登录已失效,请重新登录。')).toBe('登录已失效，请重新登录。')
  expect(punctuate('{role} 未就绪:{reason}')).toBe('{role} 未就绪：{reason}')
  expect(punctuate(',持续 {for}')).toBe('，持续 {for}')
  expect(punctuate('(仅当 {when})')).toBe('（仅当 {when}）')
  expect(punctuate('22:00 到 07:00, 1,000 ppm (x)')).toBe('22:00 到 07:00, 1,000 ppm (x)')
  expect(chinese({ a: { b: '是,否' }, c: '{n} / {total}' })).toEqual({ a: { b: '是，否' }, c: '{n} / {total}' })
})
