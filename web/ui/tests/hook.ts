// The outside service that messages go to: it keeps what it was sent.

import { createServer, type Server } from 'node:http'

export interface Message { person?: string, link?: string, event: string, alert: { id: string, rule: string, person?: string } }

export class Hook {
  readonly messages: Message[] = []
  private held: Promise<void> = Promise.resolve()
  private constructor(private server: Server, readonly url: string) {}

  static open(): Promise<Hook> {
    return new Promise((resolve) => {
      const server = createServer((request, response) => {
        let body = ''
        request.on('data', (d) => { body += d })
        request.on('end', () => {
          hook.messages.push(JSON.parse(body) as Message)
          void hook.held.then(() => response.end())
        })
      })
      let hook: Hook
      server.listen(0, '127.0.0.1', () => {
        hook = new Hook(server, `http://127.0.0.1:${(server.address() as { port: number }).port}/hook`)
        resolve(hook)
      })
    })
  }

  /** channel is the configuration of the channel that tells here. */
  channel(name: string) {
    return { name, type: 'webhook', url: this.url, secret: 'whsec_' + btoa('0123456789abcdef0123456789abcdef'), allow_private_addresses: true }
  }

  /** link is that of the message that told a person of an alert of a rule. */
  link(person: string, rule: string): string | undefined {
    return this.messages.find(m => m.person === person && m.alert.rule === rule && m.link)?.link
  }

  /** hold keeps every answer back until the returned function is called. */
  hold(): () => void {
    let go = () => {}
    this.held = new Promise((resolve) => { go = resolve })
    return go
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }
}
