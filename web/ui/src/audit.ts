// What an entry of the audit log is about, in words: the thing that a route names, and what is done with it.

import { word } from './texts'

const methods: Record<string, string> = { GET: 'look', POST: 'add', PUT: 'change', PATCH: 'change', DELETE: 'remove' }

/** sayRoute writes a method and a route as people say it: device · rotate the secret. */
export function sayRoute(method: string, route: string): string {
  const parts = route.replace(/^\/api\/v1\//, '').replace(/\.csv$/, '').split('/').filter(p => p && !p.startsWith('{'))
  const [thing = '', ...rest] = parts
  if (thing === 'session' && !rest.length) return word('deed', method === 'POST' ? 'login' : method === 'DELETE' ? 'logout' : 'look')
  const deed = rest.at(-1)
  const done = !deed ? methods[method] ?? method : method === 'DELETE' ? 'remove' : thing === 'rules' && deed === 'replay' ? 'try' : deed
  return [word('thing', thing), deed && method === 'DELETE' ? word('deed', deed) : '', word('deed', done)].filter(Boolean).join(' · ')
}
