import { computed, onScopeDispose, ref, shallowRef, watch, type WatchSource } from 'vue'
import { Problem } from './api'
import { t } from './texts'

/** explain is what a person is told of an error. */
export function explain(err: unknown): string {
  if (!(err instanceof Problem)) return String(err)
  if (err.status === 0) return t('common.unreachable')
  if (err.code === 'changed') return t('common.changedMeanwhile')
  if (err.status === 403 && !err.field) return t('common.forbidden')
  return err.message
}

/**
 * useLoad loads when the page opens and whenever on changes, and keeps the last answer while it does. An answer that is
 * overtaken by a newer question is dropped. every is the time in ms after which it asks again by itself, 0 for never. A page that
 * was left asks nothing more.
 */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, on?: WatchSource | WatchSource[], every: number | (() => number) = 0) {
  const data = shallowRef<T>()
  const error = ref('')
  const busy = ref(false)
  let control: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let left = false

  async function reload() {
    if (left) return
    control?.abort()
    clearTimeout(timer)
    const mine = control = new AbortController()
    busy.value = true
    try {
      const answer = await ask(mine.signal)
      if (control !== mine) return
      data.value = answer
      error.value = ''
    } catch (err) {
      if (control !== mine || mine.signal.aborted) return
      error.value = explain(err)
    }
    busy.value = false
    const pause = typeof every === 'number' ? every : every()
    if (pause) timer = setTimeout(reload, pause)
  }
  onScopeDispose(() => { left = true; control?.abort(); clearTimeout(timer) })
  if (on) watch(on, reload)
  void reload()
  return { data, error, busy, reload }
}

/**
 * usePages loads a list page by page: the first as useLoad does, an older one at each more, asked for as before what next of the
 * last named. rows are those of all pages. An older page is dropped if the first was loaded anew meanwhile.
 */
export function usePages<T>(ask: (before: string, signal?: AbortSignal) => Promise<{ rows: T[], next?: string }>, on?: WatchSource) {
  const { data: first, error, reload } = useLoad(signal => ask('', signal), on)
  const older = shallowRef<T[]>([])
  const next = ref('')
  watch(first, (page) => {
    older.value = []
    next.value = page?.next ?? ''
  }, { flush: 'sync' })
  const rows = computed(() => first.value && [...first.value.rows, ...older.value])
  const more = useAct(async () => {
    const of = first.value
    const page = await ask(next.value)
    if (of !== first.value) return
    older.value = [...older.value, ...page.rows]
    next.value = page.next ?? ''
  })
  return { rows, next, more, error, reload }
}

/** useAct wraps something that a press starts: one at a time, and its error is shown; field is what of a form is wrong. */
export function useAct<A extends unknown[]>(what: (...a: A) => Promise<unknown>) {
  const busy = ref(false)
  const error = ref('')
  const field = ref('')
  async function run(...a: A): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    error.value = field.value = ''
    try {
      await what(...a)
      return true
    } catch (err) {
      error.value = t('common.notDone', { reason: explain(err) })
      field.value = err instanceof Problem ? err.field : ''
      return false
    } finally {
      busy.value = false
    }
  }
  return { run, busy, error, field }
}

/** useKeys hears single keys while nothing is being typed. */
export function useKeys(keys: Record<string, () => void>) {
  const hear = (e: KeyboardEvent) => {
    const target = e.target as HTMLElement
    if (e.ctrlKey || e.metaKey || e.altKey || target.closest('input, select, textarea, dialog')) return
    if (e.key === 'Enter' && target.closest('a, button')) return
    const f = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key]
    if (!f) return
    e.preventDefault()
    f()
  }
  addEventListener('keydown', hear)
  onScopeDispose(() => removeEventListener('keydown', hear))
}
