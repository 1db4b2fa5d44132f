// Addresses stand behind the #, so that the server has one page and links work below any path.

import { createRouter, createWebHashHistory } from 'vue-router'
import { pages } from './pages'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: pages.map(p => ({ name: p.name, path: p.path, component: p.load })),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})
