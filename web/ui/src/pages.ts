// Every page of the staff, once: the navigation, the routes and the tests are made from this table.

import type { RouteComponent } from 'vue-router'

export interface Page {
  name: string
  path: string
  title?: string // key of its title in the texts; left out: nav.NAME
  icon?: string // in the navigation
  group?: 'work' | 'manage'
  roles?: string[] // who sees it in the navigation; left out: everybody. The server decides who may.
  load: () => Promise<{ default: RouteComponent }>
}

export const pages: Page[] = [
  { name: 'board', path: '/', icon: 'board', group: 'work', load: () => import('./pages/BoardPage.vue') },
  { name: 'alerts', path: '/alerts', icon: 'bell', group: 'work', load: () => import('./pages/AlertsPage.vue') },
  { name: 'alert', path: '/alerts/:id', title: 'alert.title', load: () => import('./pages/AlertPage.vue') },
  { name: 'devices', path: '/devices', icon: 'chip', group: 'work', load: () => import('./pages/DevicesPage.vue') },
  { name: 'device', path: '/devices/:id', title: 'devices.title', load: () => import('./pages/DevicePage.vue') },
  { name: 'scenes', path: '/scenes', icon: 'scene', group: 'work', load: () => import('./pages/ScenePage.vue') },
  { name: 'places', path: '/places', icon: 'building', group: 'work', load: () => import('./pages/PlacesPage.vue') },
  { name: 'scene', path: '/scenes/:id', title: 'nav.scenes', load: () => import('./pages/ScenePage.vue') },
  { name: 'people', path: '/people', icon: 'people', group: 'manage', load: () => import('./pages/PeoplePage.vue') },
  { name: 'rota', path: '/rota', icon: 'rota', group: 'manage', roles: ['admin', 'manager', 'duty', 'auditor'], load: () => import('./pages/RotaPage.vue') },
  { name: 'silences', path: '/silences', icon: 'mute', group: 'manage', roles: ['admin', 'manager', 'duty', 'auditor'], load: () => import('./pages/SilencesPage.vue') },
  { name: 'rules', path: '/rules', icon: 'rule', group: 'manage', roles: ['admin', 'manager', 'duty', 'auditor'], load: () => import('./pages/RulesPage.vue') },
  { name: 'rule', path: '/rules/:id', title: 'nav.rules', load: () => import('./pages/RulePage.vue') },
  { name: 'channels', path: '/channels', icon: 'channel', group: 'manage', roles: ['admin', 'manager'], load: () => import('./pages/ChannelsPage.vue') },
  { name: 'rejects', path: '/rejects', icon: 'inbox', group: 'manage', roles: ['admin', 'manager'], load: () => import('./pages/RejectsPage.vue') },
  { name: 'users', path: '/users', icon: 'user', group: 'manage', roles: ['admin', 'manager'], load: () => import('./pages/UsersPage.vue') },
  { name: 'audit', path: '/audit', icon: 'audit', group: 'manage', roles: ['admin', 'manager', 'auditor'], load: () => import('./pages/AuditPage.vue') },
  { name: 'account', path: '/account', icon: 'key', group: 'manage', load: () => import('./pages/AccountPage.vue') },
  { name: 'notFound', title: 'name', path: '/:rest(.*)*', load: () => import('./pages/NotFoundPage.vue') },
]
