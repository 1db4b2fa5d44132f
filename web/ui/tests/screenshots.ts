// Writes every page as it is with the demo communities, on a desktop and on a phone, in both languages. PAGES=rules,rule writes those.

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'vitest'
import { pages } from '../src/pages'
import { Browser, type Look } from './browser'
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
