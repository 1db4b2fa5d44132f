// The page of a family: built by itself, so that a phone on a slow network loads little. What is not seen first comes later.

import { createApp } from 'vue'
import { sayInvalid } from '../invalid'
import Family from './Family.vue'
import { words } from './words'
import './family.css'

sayInvalid(wrong => wrong === 'wanted' ? words.value.wanted : '')
createApp(Family).mount('#family')

// From the next time on a link that is opened without a network says so. Browsers allow that over TLS only.
addEventListener('load', () => {
  for (const scope of ['./a/', './family.html']) navigator.serviceWorker?.register('./offline.js', { scope }).catch(() => undefined)
})
