import { createI18n } from 'vue-i18n'
import { state } from '../state'
import en from './en'
import zh from './zh'

/** missing holds every key that was asked for and not found; the browser tests want it empty. */
export const missing = new Set<string>()
Object.assign(window, { linliMissing: missing })

export const i18n = createI18n({
  legacy: false,
  locale: state.language,
  fallbackLocale: 'zh',
  messages: { zh, en },
  missing: (language, key) => { missing.add(language + ' ' + key) },
  missingWarn: false,
  fallbackWarn: false,
})

/** t is a text in the chosen language. */
export const t = i18n.global.t

/** word is the name of a word of the data, or the word itself if the pages do not know it. */
export const word = (group: string, w: string) => (i18n.global.te(`${group}.${w}`, 'zh') ? t(`${group}.${w}`) : w.replaceAll('_', ' '))
