// Runs before the page of a family is there: asks already for what it will show, and offers the plain page to a phone that cannot show it.
(function () {
  var token = location.hash.slice(1)
  if (token.indexOf('.') < 0) return
  if (window.fetch) {
    window.linliEarly = fetch('api/v1/family/' + encodeURIComponent(token))
    window.linliEarly.catch(function () {})
  }
  setTimeout(function () {
    var room = document.getElementById('family')
    if (room.children.length) return
    var link = document.createElement('a')
    link.href = 'a/' + token + '?plain=1'
    link.textContent = '打开简单页面 · Open the plain page'
    room.appendChild(link)
  }, 8000)
})()
