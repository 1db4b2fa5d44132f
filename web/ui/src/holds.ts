// Silences, maintenance windows and commissioning, as the holds page and the board show them.

import { community, state } from './state'
import { pick } from './format'
import type { Hold } from './types'

/** pending is a silence of life-safety that keeps nothing back yet: a second person is to confirm it. */
export const pending = (h: Hold) => !!h.safety && !h.confirmed_by

/** mayConfirm says whether who is logged in can be that person; the server has the last word. */
export const mayConfirm = (h: Hold) => pending(h) && maySilence() && state.user?.name !== h.by && state.user?.via !== 'admin_token'

export const maySilence = () => ['admin', 'manager', 'duty'].includes(state.user?.role ?? '')

/** place is where a hold is in force. */
export const place = (h: Hold) => pick(community(h.match.community ?? '')?.name)

/** matched is what a hold is about within its community. */
export const matched = (h: Hold) => Object.entries(h.match).filter(([k, v]) => k !== 'community' && v).map(([, v]) => v).join(' · ')
