import { expect, test } from 'vitest'
import * as more from './more'
import * as words from './words'

// Every word is there in both languages, and with the same blanks.
const leaves = (o: object, at = ''): [string, string][] => Object.entries(o).flatMap(([k, v]) => typeof v === 'string' ? [[at + k, v] as [string, string]] : leaves(v as object, at + k + '.'))
const blanks = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join()

test.each([['words', words.zh, words.en], ['more', more.zh, more.en]])('%s', (_, zh, en) => {
  const there = new Map(leaves(en))
  expect([...there.keys()]).toEqual(leaves(zh).map(([k]) => k))
  for (const [k, text] of leaves(zh)) {
    expect(text, k).not.toBe('')
    expect(blanks(there.get(k)!), k).toBe(blanks(text))
  }
})
