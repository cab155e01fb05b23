package shop;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.csrf.CookieCsrfTokenRepository;

/** Who may call what: one chain for the terminals, one for the browser pages. */
@Configuration
public class SecurityConfig {
    @Bean
    SecurityFilterChain terminals(HttpSecurity http) throws Exception {
        http.securityMatcher("/orders/**", "/notes/**").csrf().disable();
        return http.build();
    }

    @Bean
    SecurityFilterChain pages(HttpSecurity http) throws Exception {
        http.csrf(csrf -> csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse()));
        return http.build();
    }
}
