// What people and devices write is text on every page, whatever it looks like.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { pages } from '../src/pages'
import type { Alert } from '../src/types'
import { Browser } from './browser'
import { Linli, until } from './linli'
import { fillPath, type Things } from './story'

const evil = (where: string) => `"'><img src=x onerror="pwned='${where}'"><script>pwned='${where}'</script>{{7*7}}`
let linli: Linli
let things: Things
let id: string
beforeAll(async () => {
  linli = await Linli.start()
  await linli.api('POST', 'communities', { id: 'evil', name: { zh: evil('community'), en: evil('community') } })
  await linli.api('PUT', 'people/evil-ma', { id: 'evil-ma', community: 'evil', name: evil('person'), roles: ['elder'], home: evil('home'), notes: evil('notes') })
  const { secret } = await linli.api<{ secret: string }>('POST', 'devices', {
    id: 'evil-1', community: 'evil', type: 'wearable_band', name: evil('device'), person: 'evil-ma', place: { estate: 'e1', building: 'b1', unit: 'u1' },
  })
  linli.publish('evil-1', secret, 'linli/event/evil/wearable_band/evil-1/sos', JSON.stringify({ note: evil('event') }))
  linli.publish('evil-1', secret, 'linli/telemetry/evil/wearable_band/evil-1', evil('payload'))
  id = await until(async () => (await linli.api<{ alerts: Alert[] }>('GET', 'alerts?community=evil')).alerts[0]?.id)
  await linli.api('POST', `alerts/${id}/comment`, { note: evil('note') })
  await linli.api('POST', 'silences', { match: { community: 'evil' }, reason: evil('reason'), until: new Date(Date.now() + 3600e3).toISOString() })
  things = { alert: id, device: 'evil-1', person: 'evil-ma' }
})
afterAll(async () => { await linli.close() })

test('markup in names, notes and payloads is shown, and never run', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    const shown = new Set<string>()
    for (const page of pages) {
      for (const [path] of fillPath(page, things)) {
        await b.go(path.replace('/:rest(.*)*', `/${encodeURIComponent(evil('path'))}`))
        await b.page.locator('#main h1').first().waitFor()
        await b.page.waitForFunction(() => !document.querySelector('#main .note[role=status]'))
        const text = await b.page.locator('body').innerText()
        for (const [, where] of text.matchAll(/pwned='(\w+)'<\/script>/g)) shown.add(where!)
        expect(text, path).not.toMatch(/<\/script>49/)
        expect(await b.page.locator('img[src=x], body script:not([src])').count(), path).toBe(0)
        expect(await b.page.evaluate(() => (window as unknown as { pwned?: string }).pwned), path).toBeUndefined()
      }
    }
    expect([...shown].sort()).toEqual(expect.arrayContaining(['community', 'device', 'note', 'person', 'reason']))
    expect(b.errors).toEqual([])
    expect(b.foreign).toEqual([])
  } finally {
    await b.close()
  }
})
