// A browser that complains: every error on the console and every request to another host is kept for the test to look at.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import type { Linli } from './linli'

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--host-resolver-rules=MAP linli.test 127.0.0.1',
]

export interface Look { width?: number, height?: number, language?: 'zh' | 'en', theme?: 'light' | 'dark', scale?: number, touch?: boolean }

export class Browser {
  readonly errors: string[] = []
  readonly foreign: string[] = []
  private constructor(readonly context: BrowserContext, readonly page: Page, private dir: string) {}

  static async open(linli: Linli, look: Look = {}): Promise<Browser> {
    const dir = mkdtempSync(join(tmpdir(), 'linli-browser-'))
    const context = await chromium.launchPersistentContext(dir, {
      executablePath: '/usr/bin/chromium', headless: true, args: flags, viewport: { width: look.width ?? 1360, height: look.height ?? 850 },
      colorScheme: look.theme ?? 'light', timezoneId: 'Asia/Shanghai', deviceScaleFactor: look.scale ?? 1, hasTouch: look.touch ?? false,
    })
    const page = context.pages()[0] ?? await context.newPage()
    const b = new Browser(context, page, dir)
    page.on('pageerror', e => b.errors.push(String(e)))
    page.on('console', (m) => {
      if ((m.type() === 'error' || m.type() === 'warning') && !expected(m.text(), m.location().url)) b.errors.push(m.text() + ' ' + m.location().url)
    })
    page.on('request', (r) => { if (!r.url().startsWith(linli.url) && !/^(data|blob|about):/.test(r.url())) b.foreign.push(r.url()) })
    await page.addInitScript(`localStorage.getItem('linli.language') ?? localStorage.setItem('linli.language', '${look.language ?? 'zh'}')`)
    return b
  }

  /** enter opens a page and logs in with the administrator's token. */
  async enter(linli: Linli, path = '/') {
    await this.page.goto(linli.url + '/#' + path)
    await this.page.getByTestId('by').click()
    await this.page.locator('#token').fill(linli.token)
    await this.page.locator('form button.primary').click()
    await this.page.locator('#main').waitFor()
  }

  /** login enters with a password; one that was given is replaced by their own. */
  async login(user: string, password: string, own: string) {
    await this.page.locator('#user').fill(user)
    await this.page.locator('#password').fill(password)
    await this.page.keyboard.press('Enter')
    if (password !== own) {
      await this.page.locator('#fresh').fill(own)
      await this.page.locator('#again').fill(own)
      await this.page.keyboard.press('Enter')
    }
    await this.page.locator('#main').waitFor()
  }

  async go(path: string) {
    await this.page.evaluate((p) => { location.hash = '#' + p }, path)
  }

  async close() {
    await this.context.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

// A browser writes every refused request on its console; that we are not logged in yet is such an answer.
const expected = (text: string, url: string) => /status of 401/.test(text) && url.endsWith('/session')
