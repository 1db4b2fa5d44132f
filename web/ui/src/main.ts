import { createApp, watchEffect } from 'vue'
import App from './App.vue'
import { followSilences } from './holds'
import { sayInvalid } from './invalid'
import { router } from './router'
import { state } from './state'
import { i18n, t } from './texts'
import { locale } from './format'
import './style/tokens.css'
import './style/base.css'

const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = () => {
  document.documentElement.dataset.theme = state.theme === 'auto' ? (dark.matches ? 'dark' : 'light') : state.theme
}
dark.addEventListener('change', paint)
watchEffect(paint)
watchEffect(() => {
  i18n.global.locale.value = state.language
  document.documentElement.lang = locale()
})
followSilences()
sayInvalid((wrong, { type, min, max, minLength }) => {
  if (wrong !== 'range') return t(`invalid.${wrong}`, { n: minLength })
  return type === 'number' ? t(`invalid.${!max ? 'least' : !min ? 'most' : 'range'}`, { min, max }) : ''
})
setInterval(() => { state.now = Date.now() }, 1000)

createApp(App).use(i18n).use(router).mount('#app')
