import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { scenes } from '.'

// What a scene names is in the catalogue: the server refuses the others, and a field that is not there would never be shown.
test('every kind and field of a list is in the catalogue', () => {
  const read = (name: string) => readFileSync(resolve('../../devices/catalogue', name + '.yaml'), 'utf8') // npm runs tests in web/ui
  const common = read('common')
  for (const list of scenes.flatMap(s => s.lists ?? [])) {
    expect(list.kinds.length, list.id).toBeLessThanOrEqual(20)
    const files = list.kinds.map((kind) => {
      const [type, event] = kind.split('.')
      const text = read(type!) + common
      expect(new RegExp(`- \\{?id: ${event}\\b`).test(text), kind).toBe(true)
      return text
    }).join('\n')
    for (const f of [...list.fields.map(f => f.field), ...list.by ? [list.by] : []]) expect(new RegExp(`id: "?${f}\\b`).test(files), `${list.id}: ${f}`).toBe(true)
  }
})
