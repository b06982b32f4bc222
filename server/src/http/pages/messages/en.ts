/** Every text of the pages in English; the other languages have the same keys. */
export const en = {
  // on several pages
  errorTitle: (title: string) => `Error: ${title}`,
  identifier: 'E-mail address or username',
  email: 'E-mail address',
  name: 'Name',
  password: 'Password',
  newPassword: 'New password',
  passwordHint: '8 to 256 characters. A few unrelated words make a good one.',
  optional: 'optional',
  cancel: 'Cancel',
  continue: 'Continue',
  signedInAs: (account: string) => `Signed in as ${account}`,
  toContinueTo: (client: string) => `to continue to ${client}`,
  tooManyTries: (time: string) => `Too many tries. Wait ${time}, then try again.`,
  seconds: (count: number) => (count === 1 ? '1 second' : `${count} seconds`),
  minutes: (count: number) => (count === 1 ? '1 minute' : `${count} minutes`),

  // sign-in, sign-up
  signInTitle: 'Sign in',
  signIn: 'Sign in',
  signInFailed: 'The e-mail address, username or password is not right. Check them and try again.',
  accountInactive: 'This account is blocked, or waits for its approval. Ask whoever manages it.',
  reauthenticateTitle: 'Enter your password again',
  reauthenticateText: 'This makes sure that it is still you.',
  noAccount: 'No account yet?',
  signUpTitle: 'Create an account',
  signUp: 'Create account',
  haveAccount: 'Have an account already?',
  identifierWrong: 'This can not be used. Write an e-mail address like name@example.com, or a username without spaces.',
  emailWrong: 'This is not an e-mail address. Write it like name@example.com.',
  nameWrong: 'This name can not be used. Try a shorter one.',
  passwordLength: 'A password has 8 to 256 characters.',
  passwordCommon: 'This password is among the first that anybody would try. Choose another one.',
  passwordIdentity: 'A password must not be what you sign in with. Choose another one.',
  fieldWrong: 'This can not be used. Check it and try again.',
  signUpRefused: 'An account can not be made with these. Check them, or sign in if you have an account.',

  // other ways to sign in
  userName: 'User name',
  or: 'or',
  continueWith: (way: string) => `Continue with ${way}`,
  continueWithPassword: 'Continue with a password',
  reauthenticateOtherTitle: 'Sign in again',
  otherWayText: (client: string) => `${client} needs you to sign in in another way.`,
  noWayTitle: 'Nobody can sign in here',
  noWayText: (client: string) => `No way of signing in is set up for ${client}, or for your organization in it.`,
  noWayAdvice: 'Ask whoever manages the application.',
  policyNotOffered: 'You can not sign in here in this way. Choose another one.',
  policyUserUnknown:
    'You signed in, but there is no account here for you. Ask whoever manages the application for one.',
  policyUserNotApproved:
    'You signed in, but your access waits for approval. Ask whoever manages the application, and try again after that.',
  upstreamUnavailable: 'This way of signing in is not available just now. Try again later, or sign in in another way.',
  upstreamRefused: 'The sign-in was not finished. Try again, or sign in in another way.',
  upstreamAnswerInvalid:
    'What came back could not be accepted, so you are not signed in. If it happens again, tell whoever manages the application.',

  // account
  accountTitle: 'Choose an account',
  continueAs: (account: string) => `Continue as ${account}`,
  otherAccount: 'Use another account',

  // organization
  organizationTitle: 'Choose an organization',
  organizationText: (client: string) => `${client} will work for the one you choose.`,

  // consent
  consentTitle: (client: string) => `Allow ${client} access?`,
  consentText: (client: string) => `${client} is not part of this service. It asks to:`,
  consentApi: (api: string) => `In ${api}:`,
  consentInOrganizations: 'In your organizations:',
  consentOrganization: (organization: string) => `For the organization ${organization}.`,
  consentOrganizations: 'For these organizations',
  consentOrganizationsHint: 'It learns of the ones you tick, and of no others.',
  consentReturn: (host: string) => `You go on to ${host}.`,
  allow: 'Allow',
  deny: 'Do not allow',
  policy: 'Privacy policy',
  terms: 'Terms of service',
  support: 'Help',

  // device
  deviceTitle: 'Connect a device',
  deviceText: 'Enter the code that the device shows.',
  deviceCode: 'Code',
  deviceCodeWrong: 'There is no such code, or its time is over. Check it, or let the device show a new one.',
  deviceConfirmTitle: (client: string) => `Connect ${client}?`,
  deviceConfirmText: 'Go on only if you started this yourself and your device shows this code:',
  deviceConnect: 'Connect',
  deviceDeny: 'Decline',
  deviceAllows: 'It will be able to:',
  deviceConnectedTitle: 'The device is connected',
  deviceConnectedText: 'You can close this page and go back to the device.',
  deviceDeniedTitle: 'The device was not connected',
  deviceDeniedText: 'It got no access. You can close this page.',

  // sign-out
  signOutTitle: 'Sign out?',
  signOutText: 'You will be signed out in this browser.',
  signOutOf: (client: string) => `${client} asks to sign you out in this browser.`,
  signOut: 'Sign out',
  staySignedIn: 'Stay signed in',
  signedOutTitle: 'You are signed out',
  signedOutText: 'You can close this page.',
  stayedSignedInTitle: 'You are still signed in',

  // the first administrator
  setupTitle: 'Set up the first administrator',
  setupText: 'This account will manage everything here. The link works once.',
  setup: 'Create administrator',
  setupDoneTitle: 'The administrator is set up',
  setupDoneText: 'You can sign in with it now.',

  // form_post
  formPostTitle: (client: string) => `Back to ${client}`,
  formPostText: 'Press the button if nothing happens by itself.',

  // errors
  errorReference: 'Reference',
  errorRequestTitle: 'This request can not be accepted',
  errorRequestText: 'There is something wrong with what the application sent.',
  errorRequestAdvice:
    'Go back to the application and try again. If it happens again, tell its makers the reference below.',
  errorExpiredTitle: 'This sign-in is over',
  errorExpiredText: 'It took too long, was finished already, or was begun in another browser.',
  errorExpiredAdvice: 'Go back to the application and sign in again.',
  errorFormTitle: 'This form can not be accepted',
  errorFormText: 'It is too old, or did not come from a page of ours in this browser. Nothing was changed.',
  errorFormAdvice: 'Go back, reload the page and try again. The browser has to accept cookies of this site.',
  errorLinkTitle: 'This link does not work',
  errorLinkText: 'It was used already, its time is over, or it is not complete.',
  errorLinkAdvice: 'Ask whoever runs this server for a new link.',
  errorAccessTitle: 'You have no access',
  errorAccessText: 'Your account may not use this application.',
  errorAccessAdvice: 'Ask whoever manages your account or the application for access.',
  errorLimitTitle: 'Too many tries',
  errorLimitAdvice: 'Nothing is lost: your account is not locked.',
  errorMissingTitle: 'There is nothing here',
  errorMissingText: 'The address is wrong, or what was here is gone.',
  errorMissingAdvice: 'Check the address, or go back to the application you came from.',
  errorUnavailableTitle: 'Not available just now',
  errorSuspendedText: 'This service is suspended. Nobody can sign in.',
  errorSuspendedAdvice: 'Ask whoever runs this service.',
  errorUnavailableText: 'The service can not answer at the moment.',
  errorUnavailableAdvice: 'Try again in a minute.',
  errorServerTitle: 'Something went wrong',
  errorServerText: 'The mistake is on our side.',
  errorServerAdvice: 'Try again. If it happens again, tell whoever runs this service the reference below.',
};

/** The texts of a page: words, and functions that put names and numbers into them. */
export type Messages = { readonly [Key in keyof typeof en]: (typeof en)[Key] };
