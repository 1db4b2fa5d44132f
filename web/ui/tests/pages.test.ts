// Every page of the table of pages, whatever it shows: it opens, in both languages, for everybody, and talks to no other host.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pages } from '../src/pages'
import zh from '../src/texts/zh'
import { Browser } from './browser'
import { Linli, until } from './linli'
import { channels, fillPath, story, type Things } from './story'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let linli: Linli
let things: Things
beforeAll(async () => {
  linli = await Linli.start('0.01', channels)
  things = await story(linli)
})
afterAll(async () => { await linli.close() })

interface Violation { id: string, impact: string, nodes: { html: string, failureSummary: string }[] }

/** flaws are what axe takes for serious, and whether the page is wider than its window. */
async function flaws(b: Browser, path: string): Promise<string[]> {
  // The content policy of the pages holds for what a test adds too, so it is evaluated from outside.
  await b.page.evaluate(axe)
  const { violations } = await b.page.evaluate(() => (window as unknown as { axe: { run: (o: unknown) => Promise<{ violations: Violation[] }> } }).axe.run({ resultTypes: ['violations'] }))
  const found = violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
    .map(v => `${path}: ${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200)).join('; ')}`)
  const wide = await b.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  return wide > 0 ? [...found, `${path}: ${wide} px wider than the window`] : found
}

for (const look of [{ language: 'zh', theme: 'light', width: 1360 }, { language: 'en', theme: 'dark', width: 360 }] as const) {
  test(`every page is sound: ${look.language}, ${look.theme}, ${look.width} px`, async () => {
    const b = await Browser.open(linli, look)
    const found: string[] = []
    try {
      await b.page.goto(linli.url)
      await b.page.locator('#user').waitFor()
      found.push(...await flaws(b, 'login'))
      const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'first-' + look.language, role: 'duty', communities: ['tianjin'] })
      await b.page.locator('#user').fill('first-' + look.language)
      await b.page.locator('#password').fill(password)
      await b.page.keyboard.press('Enter')
      await b.page.locator('#fresh').waitFor()
      found.push(...await flaws(b, 'first login'))
      await b.page.locator('form .plain').first().click()
      await b.page.getByTestId('by').waitFor()
      expect(await b.page.locator('#password').inputValue()).toBe('')
      await b.enter(linli)
      for (const page of pages) {
        for (const [path] of fillPath(page, things)) {
          await b.go(path.replace('/:rest(.*)*', '/nothing'))
          await b.page.locator('#main h1').first().waitFor()
          await b.page.waitForFunction(() => !document.querySelector('#main .note[role=status]'))
          found.push(...await flaws(b, path))
        }
      }
      const missing = await b.page.evaluate(() => [...(window as unknown as { linliMissing: Set<string> }).linliMissing])
      expect(missing).toEqual([])
      expect(found).toEqual([])
      expect(b.errors).toEqual([])
      expect(b.foreign).toEqual([])
    } finally {
      await b.close()
    }
  })
}

test('no page asks for what who looks at it may not have', async () => {
  for (const role of ['duty', 'caretaker']) {
    const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'of-' + role, role, ...role === 'caretaker' ? { elders: [things.person] } : { communities: ['tianjin', 'hegang'] } })
    const b = await Browser.open(linli, { width: 1280, height: 800 })
    try {
      await b.page.goto(linli.url)
      await b.login('of-' + role, password, '各人自己的好密码 2026')
      for (const page of pages.filter(p => !p.roles || p.roles.includes(role))) {
        const [[path] = ['']] = fillPath(page, things)
        if (role === 'caretaker' && ['device', 'rule'].includes(page.name)) continue // not of her elder; no way leads there
        await b.go(path.replace('/:rest(.*)*', '/nothing'))
        await b.page.locator('#main h1').first().waitFor()
        await b.page.waitForFunction(() => !document.querySelector('#main .note[role=status]'))
      }
      await b.page.waitForTimeout(300)
      expect(b.errors, role).toEqual([])
    } finally {
      await b.close()
    }
  }
})

test('the audit log has words for every route that changes something or shows data of persons', async () => {
  const { paths } = await linli.api<{ paths: Record<string, Record<string, unknown>> }>('GET', 'openapi.json')
  const missing = new Set<string>()
  for (const path of Object.keys(paths).filter(p => p.startsWith('/api/v1/') && !p.endsWith('openapi.json'))) {
    const [thing = '', ...rest] = path.replace('/api/v1/', '').replace(/\.csv$/, '').split('/').filter(p => p && !p.startsWith('{'))
    if (!(thing in zh.thing)) missing.add('thing ' + thing)
    if (rest.length && !(rest.at(-1)! in zh.deed)) missing.add('deed ' + rest.at(-1))
  }
  expect([...missing]).toEqual([])
})

test('a search finds devices as it is typed, and one community is shown alone', async () => {
  const b = await Browser.open(linli)
  const found = async () => Number((await b.page.getByTestId('found').innerText()).replace(/[^0-9]/g, ''))
  try {
    await b.enter(linli, '/devices')
    const { total } = await linli.api<{ total: number }>('GET', 'devices?limit=1')
    await until(async () => await found() === total)
    expect(await b.page.locator('.view [role=listitem]').count()).toBeLessThan(60) // only what is seen is drawn
    await b.page.getByTestId('search').pressSequentially('烟感 story-')
    await until(async () => await found() === 1)
    await b.page.locator('.view').getByText('3层楼道烟感').waitFor()
    await b.page.getByTestId('community').selectOption('zhuhai')
    await until(async () => await found() === 0)
    await b.page.getByTestId('search').fill('')
    const here = await linli.api<{ total: number }>('GET', 'devices?limit=1&community=zhuhai')
    await until(async () => await found() === here.total)
    await b.go('/')
    const rows = b.page.getByTestId('alerts').locator('[data-testid=alert]')
    await rows.filter({ hasText: '充电桩' }).first().waitFor()
    expect(await b.page.locator('[data-device=story-smoke]').count()).toBe(0)
    await b.page.getByTestId('community').selectOption('')
    await rows.and(b.page.locator('[data-device=story-smoke]')).first().waitFor()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('the plan shows where it is, and from there one comes to the device', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli, '/places')
    const plan = b.page.getByTestId('plan')
    await plan.locator('[data-place="building/e3/b07/"].alarmed').waitFor()
    await plan.locator('[data-place="estate/e3//"]').focus()
    await b.page.keyboard.press('Enter')
    await plan.locator('[data-device=story-1]').click()
    await b.page.getByRole('heading', { name: '张奶奶的手环' }).waitFor()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('the language is switched in place, on every page, and stays', async () => {
  const b = await Browser.open(linli)
  const language = () => b.page.evaluate(() => document.documentElement.lang)
  try {
    await b.enter(linli)
    await b.page.getByRole('heading', { name: '值班台' }).waitFor()
    for (const page of pages) {
      for (const [path] of fillPath(page, things)) {
        await b.go(path.replace('/:rest(.*)*', '/nothing'))
        await b.page.locator('#main h1').first().waitFor()
        const was = await language()
        await b.page.getByTestId('language').click()
        await until(async () => await language() !== was)
      }
    }
    expect(await b.page.evaluate(() => [...(window as unknown as { linliMissing: Set<string> }).linliMissing])).toEqual([])
    await b.go('/')
    if (await language() !== 'en-GB') await b.page.getByTestId('language').click()
    await b.page.getByRole('heading', { name: 'Duty board' }).waitFor()
    await b.page.reload()
    await b.page.getByRole('heading', { name: 'Duty board' }).waitFor()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})
