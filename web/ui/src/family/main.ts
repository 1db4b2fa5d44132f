// The page of a family: built by itself, so that a phone on a slow network loads little. What is not seen first comes later.

import { createApp } from 'vue'
import Family from './Family.vue'
import './family.css'

createApp(Family).mount('#family')
