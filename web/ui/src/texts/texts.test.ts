import { expect, test } from 'vitest'
import en from './en'
import zh from './zh'

type Words = { [key: string]: string | Words }

const flat = (words: Words, at = ''): [string, string][] => Object.entries(words).flatMap(([k, v]) => typeof v === 'string' ? [[at + k, v] as [string, string]] : flat(v, at + k + '.'))

test('both languages have the same words with the same places to fill in', () => {
  const [chinese, english] = [new Map(flat(zh)), new Map(flat(en as Words))]
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  const holes = (s: string) => [...new Set(s.match(/\{\w+\}/g))].sort() // once each: a plural says its number twice
  for (const [key, text] of chinese) {
    expect(text.trim(), key).not.toBe('')
    expect(holes(english.get(key)!), key).toEqual(holes(text))
  }
})

test('Chinese has Chinese punctuation', () => {
  for (const [key, text] of flat(zh)) expect(/\p{Script=Han}[,;:!?](?!\d)|[,;](?=\p{Script=Han})/u.test(text), `${key}: ${text}`).toBe(false)
})

test('every text that a page asks for is there', () => {
  const sources = import.meta.glob('../**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true }) as Record<string, string>
  const keys = new Set(flat(zh).map(([k]) => k))
  for (const [file, source] of Object.entries(sources)) {
    if (file.includes('family/')) continue // it has words of its own
    for (const [, key] of source.matchAll(/\bt\('([\w.]+)'/g)) expect(keys.has(key!), `${file}: ${key}`).toBe(true)
  }
})
