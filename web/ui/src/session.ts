// Who is logged in, from the first question to the last.

import { load, Problem, request, send, token, whenLoggedOut } from './api'
import { forgetDevices } from './devices'
import { forgetNames } from './names'
import { alerts, state } from './state'
import { chime } from './sound'
import { follow, stop } from './stream'
import type { Community, User } from './types'

/** start asks the server who we are, and follows its changes if it knows us. */
export async function start() {
  whenLoggedOut(forget)
  try {
    await enter(await load<User>('session'))
  } catch (err) {
    if (!(err instanceof Problem) || err.status !== 401) throw err
  }
}

// Who has been given a password must change it first; until then the server answers nothing else.
async function enter(user: User) {
  if (!user.must_change) {
    if (user.role === 'family') return location.replace('./family.html') // theirs is another page
    state.communities = (await load<{ communities: Community[] }>('communities')).communities
    if (!state.communities.some(c => c.id === state.community)) state.community = ''
    follow(chime)
  }
  state.user = user
}

export async function enterPassword(user: string, password: string) {
  const who = await send<User>('POST', 'session', { user, password })
  if (who.language) state.language = who.language as typeof state.language
  await enter(who)
}

export async function changePassword(old: string, now: string) {
  await enter(await send<User>('PUT', 'session/password', { old, new: now }))
}

/** enterToken logs in with a token of the server, which no cookie remembers. */
export async function enterToken(typed: string) {
  token.set(typed)
  try {
    await enter(await load<User>('session'))
  } catch (err) {
    token.clear()
    throw err
  }
}

export async function leave() {
  await request('api/v1/session', { method: 'DELETE' }).catch(() => {})
  forget()
}

function forget() {
  stop()
  token.clear()
  alerts.clear()
  forgetNames()
  forgetDevices()
  state.lastEvent = ''
  state.link = 'connecting'
  state.user = null
}
