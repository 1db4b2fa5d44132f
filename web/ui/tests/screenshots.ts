// Writes every page as it is with the demo communities, on a desktop and on a phone, in both languages. PAGES=rules,rule writes those.

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'vitest'
import { pages } from '../src/pages'
import { Browser, type Look } from './browser'
import { Hook } from './hook'
import { Kin } from './kin'
import { Linli } from './linli'
import { channels, fillPath, story } from './story'

const out = resolve(import.meta.dirname, '../screenshots')
const looks: Record<string, Look> = {
  'desktop-zh': { language: 'zh' },
  'desktop-en': { language: 'en', theme: 'dark' },
  'phone-zh': { language: 'zh', width: 360, height: 760, scale: 2, touch: true },
  'phone-en': { language: 'en', theme: 'dark', width: 360, height: 760, scale: 2, touch: true },
}

const only = process.env.PAGES?.split(',')

test('every page', async () => {
  mkdirSync(out, { recursive: true })
  const linli = await Linli.start('0.05', channels)
  try {
    const things = await story(linli)
    for (const [name, look] of Object.entries(looks)) {
      const b = await Browser.open(linli, look)
      try {
        await b.page.goto(linli.url)
        await b.page.locator('#user').waitFor()
        await b.page.screenshot({ path: `${out}/login-${name}.png` })
        await b.enter(linli)
        for (const page of pages.filter(p => p.name !== 'notFound' && (!only || only.includes(p.name)))) {
          for (const [path, title] of fillPath(page, things)) {
            await b.go(path)
            await b.page.waitForTimeout(1200) // the stream never rests, so there is nothing to wait for
            await b.page.screenshot({ path: `${out}/${title}-${name}.png` })
          }
        }
      } finally {
        await b.close()
      }
    }
  } finally {
    await linli.close()
  }
})

const phones: Record<string, Look> = {
  'zh': { language: 'zh', width: 360, height: 760, scale: 2, touch: true },
  'zh-dark': { language: 'zh', theme: 'dark', width: 360, height: 760, scale: 2, touch: true },
  'en': { language: 'en', width: 360, height: 760, scale: 2, touch: true },
  'en-dark': { language: 'en', theme: 'dark', width: 360, height: 760, scale: 2, touch: true },
}

// The page of a family: fine, nothing shared, away, and with an open alert.
test('family page', async () => {
  mkdirSync(out, { recursive: true })
  const hook = await Hook.open()
  const linli = await Linli.start('0.01', [hook.channel('sms')])
  const open: Browser[] = []
  try {
    const kin = await Kin.join(linli, hook, 'mother')
    kin.measure(860)
    const link = await kin.press()
    await kin.end()
    for (const look of Object.values(phones)) open.push(await Browser.open(linli, look))
    const shoot = async (name: string) => {
      for (const [i, look] of Object.keys(phones).entries()) {
        const { page } = open[i]!
        await page.goto('about:blank')
        await page.goto(link)
        await page.getByTestId('circle').waitFor()
        if (name === 'fine') await page.getByTestId('place').waitFor()
        await page.screenshot({ path: `${out}/family-${name}-${look}-top.png`, fullPage: true, clip: { x: 0, y: 0, width: 360, height: 1000 } })
        await page.locator('[data-testid=log] summary').click()
        await page.locator('[data-testid=log] li').first().waitFor()
        await page.screenshot({ path: `${out}/family-${name}-${look}.png`, fullPage: true })
      }
    }
    await shoot('fine')
    await kin.agree()
    await shoot('hidden')
    await kin.agree('events', 'wellbeing')
    await linli.api('POST', `people/${kin.elder}/away`, { until: new Date(Date.now() + 3 * 86400e3).toISOString() })
    await shoot('away')
    await linli.api('DELETE', `people/${kin.elder}/away`)
    await kin.press()
    await shoot('alarm')
  } finally {
    for (const b of open) await b.close()
    await linli.close()
    hook.close()
  }
})
