// A server of its own for a test: the built binary with the demo communities, on ports and a directory of its own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const binary = resolve(import.meta.dirname, '../../../bin/linli')
const startLimit = 60_000 // ms

export class Linli {
  private constructor(
    readonly url: string, readonly token: string, readonly password: string, readonly mqtt: number,
    private process: ChildProcess, private dir: string, private args: string[],
  ) {}

  /** start runs a server until close, with the channels of a configuration file if there are any; their messages have links. Ready means that every role is. */
  static async start(scale = '0.01', channels: Record<string, unknown>[] = [], more: string[] = []): Promise<Linli> {
    const dir = mkdtempSync(join(tmpdir(), 'linli-'))
    const [http, mqtt] = [await freePort(), await freePort()]
    const args = ['serve', '--demo', '--scale', scale, '--data', dir, '--http', `127.0.0.1:${http}`, '--mqtt', `127.0.0.1:${mqtt}`, '--log-level', 'error', ...more]
    if (channels.length) {
      writeFileSync(join(dir, 'linli.yaml'), JSON.stringify({ channels })) // JSON is YAML
      args.push('--config', join(dir, 'linli.yaml'), '--public-url', `http://127.0.0.1:${http}`)
    }
    const { process, said } = await launch(args)
    const password = said.match(/first login +admin, password (\S+)/)?.[1] ?? ''
    return new Linli(`http://127.0.0.1:${http}`, readFileSync(join(dir, 'admin.token'), 'utf8').trim(), password, mqtt, process, dir, args)
  }

  /** api asks the server as its administrator. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.ask(method, path, 'application/json', body === undefined ? undefined : JSON.stringify(body))
  }

  /** send posts text of another type. */
  async send<T>(path: string, type: string, text: string): Promise<T> {
    return this.ask('POST', path, type, text)
  }

  private async ask<T>(method: string, path: string, type: string, body?: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`, { method, headers: { Authorization: 'Bearer ' + this.token, 'Content-Type': type }, body })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return await response.json() as T
  }

  /** band registers a wristband and returns how to press its button. */
  async band(id: string, community = 'tianjin', name = '', place = {}, person?: string): Promise<() => void> {
    const { secret } = await this.api<{ secret: string }>('POST', 'devices', { id, community, type: 'wearable_band', name, place, person })
    return () => this.publish(id, secret, `linli/event/${community}/wearable_band/${id}/sos`, '')
  }

  /** publish sends one message with mosquitto_pub, as a device would. */
  publish(device: string, secret: string, topic: string, message: string) {
    const { status, stderr } = spawnSync('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(this.mqtt), '-i', device, '-u', device, '-P', secret, '-q', '1', '-t', topic, '-m', message])
    if (status !== 0) throw new Error(`mosquitto_pub: ${stderr}`)
  }

  /** importReadings stores line protocol as it is, with the command line. */
  importReadings(lines: string[]) {
    const file = join(this.dir, 'import.txt')
    writeFileSync(file, lines.join('\n') + '\n')
    const { status, stderr } = spawnSync(binary, ['readings', 'import', file, '--server', this.url, '--data', this.dir])
    if (status !== 0) throw new Error(`linli readings import: ${stderr}`)
  }

  async stop() {
    const ended = new Promise(resolve => this.process.once('exit', resolve))
    this.process.kill('SIGTERM')
    await ended
  }

  async restart() {
    this.process = (await launch(this.args)).process
  }

  async close() {
    if (this.process.exitCode === null) await this.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

async function launch(args: string[]): Promise<{ process: ChildProcess, said: string }> {
  const process = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => { process.kill('SIGKILL'); reject(new Error('not ready: ' + said)) }, startLimit)
    const ended = () => { clearTimeout(timer); reject(new Error('ended: ' + said)) }
    process.once('exit', ended)
    process.stderr!.on('data', (d) => { said = (said + d).slice(-4000) })
    process.stdout!.on('data', (d) => {
      said = (said + d).slice(-4000)
      if (!/MQTT +\d/.test(said)) return
      clearTimeout(timer)
      process.off('exit', ended)
      resolve()
    })
  })
  return { process, said }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve((address as { port: number }).port))
    })
  })
}

/** until asks again until there is an answer, and fails after half a minute. */
export async function until<T>(ask: () => Promise<T | undefined | false>, limit = 30_000): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error('gave up waiting for ' + ask)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
