// Sends the form of the page on. The page works without it: it has a button.
const form = document.querySelector('form');
// A field may be called "submit", and would hide the form's own.
if (form !== null) HTMLFormElement.prototype.submit.call(form);
