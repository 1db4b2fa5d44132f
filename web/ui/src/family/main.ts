// The page of a family: built by itself, so that a phone on a slow network loads little. What is not seen first comes later.

import { createApp } from 'vue'
import { sayInvalid } from '../invalid'
import Family from './Family.vue'
import { words } from './words'
import './family.css'

sayInvalid(() => words.value.wanted)
createApp(Family).mount('#family')
