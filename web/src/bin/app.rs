//! The page, as the browser starts it.

fn main() {
    console_error_panic_hook::set_once();
    web::app::start();
}
